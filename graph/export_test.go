package graph

// CheckRules is what a server does to its schema before it serves it.
var CheckRules = checkRules
