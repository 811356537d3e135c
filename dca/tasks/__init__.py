"""What a hub may ask for: verified, put to the customer's policy, done at most once, answered through the outbox."""
