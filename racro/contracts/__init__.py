"""What the deployables say to one another and to their clients. Pydantic and stdlib only."""
