"""What a language model will probably write for what CTC heard; a leaf for drafts."""
