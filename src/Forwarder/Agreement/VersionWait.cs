namespace KeyEvt.Forwarder.Agreement;

/// <summary>How long does a command wait for the group? Until this program knows the state of the group, and until a change has come back.</summary>
internal sealed class VersionWait(ConfigInForce inForce, IGroupVoice voice, TimeProvider time)
{
    /// <summary>For each of these waits.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(4);

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits until this program knows the state of the group in a stream, and has its configuration.</summary>
    /// <returns>False if there is no stream to agree in.</returns>
    /// <exception cref="GroupRefusedException">It does not in time.</exception>
    public async Task<bool> ForGroupAsync()
    {
        var begun = time.GetTimestamp();
        while (!voice.Streams.Any(stream => stream.ConfigVersion == inForce.Value.Version))
        {
            if (voice.IsHeldBack) return false;

            if (time.GetElapsedTime(begun) > Deadline)
            {
                throw new GroupRefusedException("this program does not hear its group at the moment; nothing was changed");
            }

            await Task.Delay(LookEvery, time).ConfigureAwait(false);
        }

        return true;
    }

    /// <summary>Waits until this version, or a later one, is in force here.</summary>
    /// <exception cref="GroupRefusedException">It is not in time.</exception>
    public async Task ForAsync(long version)
    {
        if (await WaitAsync(now => now >= version).ConfigureAwait(false)) return;

        throw new GroupRefusedException("the change is kept in Redis, but was not heard in the stream in time; it comes into force when a member hears the stream again");
    }

    /// <summary>Waits until another version than this is in force here, and returns it.</summary>
    /// <exception cref="GroupRefusedException">None is in time.</exception>
    public async Task<long> ForOtherThanAsync(long version)
    {
        if (await WaitAsync(now => now != version).ConfigureAwait(false)) return inForce.Value.Version;

        throw new GroupRefusedException("this program has not heard its own change in the stream in time; whether it is in force is seen when it hears the group again");
    }

    private async Task<bool> WaitAsync(Func<long, bool> isReached)
    {
        var begun = time.GetTimestamp();
        while (true)
        {
            var changed = inForce.Changed;
            if (isReached(inForce.Value.Version)) return true;

            var left = Deadline - time.GetElapsedTime(begun);
            if (left <= TimeSpan.Zero) return false;

            await Task.WhenAny(changed, Task.Delay(left, time)).ConfigureAwait(false);
        }
    }
}
