namespace KeyEvt.Forwarder.Topology;

/// <summary>How many Redis stand behind one address, and who says which of them is the master?</summary>
public enum UpstreamShape
{
    /// <summary>One node, named by its own address.</summary>
    Standalone,

    /// <summary>One master and its replicas; Sentinels say which is which.</summary>
    Sentinel,

    /// <summary>Redis Cluster: several masters, each with slots and replicas; every node knows all.</summary>
    Cluster,
}
