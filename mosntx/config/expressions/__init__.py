"""The language of ``dsl_expressions``: text to functions, without ever evaluating Python."""
