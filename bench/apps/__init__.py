"""The workloads written for each framework: one module each, ``make(workload)``."""
