"""The test kit, for our tests and for those of users: verified fakes, builders, contract suites."""
