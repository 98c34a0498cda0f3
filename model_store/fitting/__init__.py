"""From labelled pictures to a model that is checked: what is learned from, and the run itself."""
