package stacks

// The services that are made from nothing. Between them they set every prop.
var fargateFixtures = []Service{}
