"""How far scores agree with human raters, and raters with each other: `tutelage agreement`."""
