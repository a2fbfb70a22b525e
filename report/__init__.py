"""What a person looks at once a sweep has ended: pictures with the data behind each, and one page with all of it."""
