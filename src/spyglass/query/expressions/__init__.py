"""Expressions over the results of other queries: math, reduce, resample, threshold, classic conditions."""
