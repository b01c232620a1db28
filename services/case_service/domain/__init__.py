"""What may happen to a case and its work orders: tables first, then what each row does. Pure and synchronous."""
