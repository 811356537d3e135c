"""What agent and hub both hold to beside the protobuf messages: activation codes and the signature of a task. No I/O."""
