"""How the demo model is made: corpus, speech synthesis, training, evaluation."""
