"""Evaluation of plans over stores: plan + protocols -> Frame or log batches."""
