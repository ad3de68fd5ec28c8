"""The same four-turn conversation through other engines, each as its documentation recommends, beside Baton and beside no engine at all."""
