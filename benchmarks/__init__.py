"""What Linewatch is measured by: `linewatch bench NAME`. Not part of the installed package."""
