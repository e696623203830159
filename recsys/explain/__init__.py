"""Words for people: reasons, openers, next steps, the draft guard, check-ins and the review queue."""
