"""How sure a rate, a difference of rates or a true rate is."""
