"""What the html page is made of: its words and their times, its sound, its style and scripts."""
