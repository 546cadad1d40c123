namespace KeyEvt.Proxy.Transport;

/// <summary>What has a <see cref="ZeroCopyForwarder"/> done with a block?</summary>
internal enum ForwardResult
{
    /// <summary>It has not taken the block, so the read returns it.</summary>
    NotTaken,

    /// <summary>It has given the block to another owner. The read goes on waiting.</summary>
    Forwarded,

    /// <summary>It has given the block to another owner, whose flush must be waited for or has failed. The read returns without a byte.</summary>
    ForwardedUnflushed,
}
