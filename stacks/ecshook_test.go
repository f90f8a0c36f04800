package stacks

// The services that exist already. Between them they set every prop.
var existingFixtures = []Service{}
