"""Labels, times, samples, frames, matchers, relabelling, errors: the nouns that every room shares."""
