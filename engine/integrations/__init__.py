"""What comes in from elsewhere: real data sets, synthetic instances and the packaged demo day."""
