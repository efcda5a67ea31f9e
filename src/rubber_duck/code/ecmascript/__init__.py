"""What JavaScript and TypeScript share: their trees have the same node kinds."""
