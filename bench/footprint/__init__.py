"""What a framework takes before and beside its time: imports, memory, disk."""
