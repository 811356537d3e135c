"""What agent and hub both hold to beside the protobuf messages: activation codes, and how a task is signed. No I/O."""
