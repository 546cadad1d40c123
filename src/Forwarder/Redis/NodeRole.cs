namespace KeyEvt.Forwarder.Redis;

/// <summary>What does a node say it is? Only a master's notifications are events.</summary>
public enum NodeRole
{
    /// <summary>Not asked yet, or the user may not ask. Its events are forwarded, as those of a master.</summary>
    Unknown,

    Master,

    /// <summary>ROLE says slave.</summary>
    Replica,
}
