using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Group;

namespace KeyEvt.Forwarder.Agreement;

/// <summary>How does this program hear of the group's streams, and speak in them? Thread safe.</summary>
internal interface IGroupVoice
{
    /// <summary>How the group stands in the stream of each master, as far as this program hears it and knows the state.</summary>
    IReadOnlyList<StreamGroupStatus> Streams { get; }

    /// <summary>Whether there is no stream to agree in: every node that this program listens to is a replica, or a master that was replaced.</summary>
    bool IsHeldBack { get; }

    /// <summary>Says something in every stream, also in those of replicas, which may be masters soon.</summary>
    /// <returns>The ids of what was said; empty if nothing can be said at the moment.</returns>
    IReadOnlyList<MessageId> Say(Func<string, long, GroupMessage> message);

    /// <summary>Says something in the stream of each master.</summary>
    /// <returns>The ids of what was said.</returns>
    IReadOnlyList<MessageId> SayToMasters(Func<string, long, GroupMessage> message);

    /// <summary>Waits until this program's feeds have subscribed to what it wants, and the servers send it.</summary>
    Task WaitSubscribedAsync(CancellationToken cancellationToken);
}
