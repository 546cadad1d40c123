namespace KeyEvt.Forwarder.Agreement;

/// <summary>A command cannot change the configuration of the group now. The message says why, and what to do about it.</summary>
public sealed class GroupRefusedException(string message) : Exception(message);
