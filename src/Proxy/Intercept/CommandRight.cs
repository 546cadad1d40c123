namespace KeyEvt.Proxy.Intercept;

/// <summary>What must a client be allowed to do at the upstream Redis, so that it may use a key_evt_amqp command?</summary>
internal enum CommandRight
{
    /// <summary>CONFIG GET: the command only tells something. Monitoring programs have this right.</summary>
    Read,

    /// <summary>CONFIG SET: the command changes something.</summary>
    Change,
}
