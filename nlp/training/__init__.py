"""The corpus written for this project and what is trained and measured on it; not in the wheel."""
