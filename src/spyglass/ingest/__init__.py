"""What any sample or line must pass, whichever door it came through."""
