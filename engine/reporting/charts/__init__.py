"""Charts as SVG: plain functions of numbers, no scripts; colours are classes of the page's style sheet."""
