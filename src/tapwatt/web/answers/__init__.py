"""The shapes of the API's answers, for its OpenAPI document: types, what may be null, what words there are.

An answer is built by the read models and sent as it is; that it has the shape said here is what the tests
compare, answer by answer, with every field that is not said here as a fault.
"""
