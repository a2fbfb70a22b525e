"""What is settled before the first fit: the spec, what an audit finds, which fits are known, and what it will cost."""
