using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Events;
using KeyEvt.Forwarder.Feed.Peers;
using KeyEvt.Forwarder.Group;

namespace KeyEvt.Forwarder.Agreement;

/// <summary>
/// Before a configuration wants more classes of events: do the members hear them? All subscribe to them first, and say so. Else the first events of
/// these classes would be missed, or counted by some members only.
/// </summary>
internal sealed class ClassPreparation(IGroupVoice voice, ConfigInForce inForce, TimeProvider time)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);

    /// <summary>How long members other than the holder are waited for. Who is not ready then has no part in the group until it is.</summary>
    private static readonly TimeSpan OthersDeadline = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan HolderDeadline = TimeSpan.FromSeconds(4);

    private static readonly TimeSpan SayAgain = TimeSpan.FromSeconds(1);

    /// <exception cref="GroupRefusedException">Who delivers does not hear them in time.</exception>
    public async Task PrepareAsync(ForwarderConfig next)
    {
        var classes = next.Wanted;
        if ((classes & ~inForce.Classes) == EventClass.None) return;

        var begun = time.GetTimestamp();
        long saidAt = 0;
        while (true)
        {
            if (saidAt == 0 || time.GetElapsedTime(saidAt) > SayAgain)
            {
                saidAt = time.GetTimestamp();
                voice.Say((member, number) => new GroupMessage.Prepare(member, number, classes));
            }

            await Task.Delay(LookEvery, time).ConfigureAwait(false);
            var streams = voice.Streams;
            var passed = time.GetElapsedTime(begun);
            var isHolderReady = streams.Count > 0 && streams.All(stream => stream.Peers.Any(peer => peer.Name == stream.Holder && Hears(peer, classes)));
            if (isHolderReady && (passed > OthersDeadline || streams.All(stream => stream.Peers.All(peer => peer.Reach is null || Hears(peer, classes)))))
            {
                break;
            }

            if (passed > HolderDeadline)
            {
                throw new GroupRefusedException("the member of the group that delivers has not subscribed to the new events in time; nothing was changed");
            }
        }

        await FlagsAsync().ConfigureAwait(false);
    }

    /// <summary>Waits until the server sends the events. If it refuses, a remedy is shown, and the change goes on.</summary>
    private async Task FlagsAsync()
    {
        using var deadline = new CancellationTokenSource(OthersDeadline, time);
        try
        {
            await voice.WaitSubscribedAsync(deadline.Token).ConfigureAwait(false);
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException)
        {
            // The status of the feed says what is missing; or the program ends.
        }
    }

    private static bool Hears(Peer peer, EventClass classes) => (peer.Classes & classes) == classes;
}
