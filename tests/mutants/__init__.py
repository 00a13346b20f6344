"""Single faults that tests must notice, as data, and what makes them: python -m tests.mutants

They stand with the tests and not with the benchmarks, as they measure the tests, and a list that no longer fits the
code fails `make test`.
"""
