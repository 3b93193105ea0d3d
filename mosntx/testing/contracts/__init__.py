"""Contract suites: mixins for test cases that every provider of a contract runs."""
