"""Reports that people look at: self-contained HTML files that work offline."""
