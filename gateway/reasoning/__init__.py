"""Who answers: reasoners, their replicas, what fits into their context, what they have used."""
