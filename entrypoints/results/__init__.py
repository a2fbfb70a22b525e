"""What a sweep leaves behind: its tables and pictures, the refitted winner, its card, and the lines that say so."""
