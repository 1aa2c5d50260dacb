"""What the bias audit can and cannot tell, by simulation and on the embedded model."""
