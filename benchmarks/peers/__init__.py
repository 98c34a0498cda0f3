"""What Linewatch is compared with. The only place in the project that reads or writes a pickle."""
