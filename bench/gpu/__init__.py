"""What wants a graphics card: checks, speeds and maps, each part in a process of its own with a time of its own."""
