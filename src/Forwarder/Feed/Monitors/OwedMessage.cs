using KeyEvt.Forwarder.Feed.Context;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Group;
using KeyEvt.Forwarder.Redis;

namespace KeyEvt.Forwarder.Feed.Monitors;

/// <summary>What does a new connection say for an earlier one, which was lost before it could say it?</summary>
internal sealed class OwedMessage(FeedContext feed, StreamGroup group, CommandPipeline commands)
{
    /// <summary>Says it, if the node is still the same process. Any thread.</summary>
    public void Say(ulong runId, bool isCluster)
    {
        lock (feed.Turn)
        {
            if (group.Owed is not { } owed) return;

            group.Owed = null;
            if (owed.RunId != runId) return;

            var channel = MarkerChannel.Of(isCluster, runId);
            if (!feed.Options.HasSuccessors) SayNow(owed.Message, runId, channel);
            else commands.Send((reply, _) => SayAsMaster(reply, owed.Message, runId, channel), "ROLE");
        }
    }

    /// <summary>If the node is no longer a master, its successor's holder goes on, and nothing is left to others here.</summary>
    private void SayAsMaster(RedisAnswer role, Func<long, GroupMessage> message, ulong runId, MarkerChannel channel)
    {
        if (role.IsError || RoleReply.Of(role) != NodeRole.Master) return;

        SayNow(message, runId, channel);
        group.Member.Delivery.Leave(); // others go on
    }

    private void SayNow(Func<long, GroupMessage> message, ulong runId, MarkerChannel channel) =>
        commands.Send(static (_, _) => { }, MarkerChannel.Publish, channel.Name, group.Envelope.Write(message(feed.Markers.Reserve()), runId));
}
