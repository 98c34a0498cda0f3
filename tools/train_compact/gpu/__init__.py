"""The run for one GPU: scenes drawn on all cores, warped and photographed on the device."""
