"""The monthly review: a closed month's figures, frozen, discussed, signed off and exported."""
