"""Objects made from flags: pure functions, one module a family of kinds. They return an object's JSON; what a Go
struct adds or leaves out is done when it is sent (kubetrace.wire.go_struct)."""
