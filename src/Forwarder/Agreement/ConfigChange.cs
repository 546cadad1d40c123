using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Group;

namespace KeyEvt.Forwarder.Agreement;

/// <summary>How does one member change the configuration of all?</summary>
/// <remarks>
/// <para>
/// The new version is written to Redis, if what is kept there is still the version that was changed; who loses that race changes the newer one. Then it is
/// said in the stream, and is in force for all events behind that message, at every member. The command ends when this member has read it.
/// </para>
/// <para>
/// Where nothing is kept in Redis, the message itself names the version that it follows, and is void if another one is in force at its place. If this
/// program ends in between, the holder finds the new version in Redis and says it: see <see cref="ConfigAgreement"/>.
/// </para>
/// </remarks>
/// <param name="store">Null: nothing is kept in Redis.</param>
internal sealed class ConfigChange(ConfigInForce inForce, IConfigStore? store, IGroupVoice voice, ClassPreparation preparation, TimeProvider time)
{
    /// <summary>A message of the group is not read if it is longer than 256 KiB.</summary>
    private const int LargestText = 200_000;

    /// <summary>How long a change is tried again because others were first.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(5);

    private readonly SemaphoreSlim _turn = new(1, 1);
    private readonly VersionWait _wait = new(inForce, voice, time);

    /// <param name="change">Returns null to refuse the change; then nothing happens. It may be called again with a later version.</param>
    /// <param name="options">The fingerprint of the options that the new version comes from; null: of the same as before.</param>
    /// <returns>False if the change was refused by <paramref name="change"/>.</returns>
    /// <exception cref="GroupRefusedException">The group cannot be changed now.</exception>
    public async Task<bool> ChangeAsync(Func<ForwarderConfig, ForwarderConfig?> change, string? options = null)
    {
        if (!await _turn.WaitAsync(VersionWait.Deadline).ConfigureAwait(false))
        {
            throw new GroupRefusedException("another command is changing the group; nothing was changed");
        }

        try
        {
            var begun = time.GetTimestamp();
            do
            {
                if (await TryAsync(change, options).ConfigureAwait(false) is { } isDone) return isDone;

                await Task.Delay(Pause, time).ConfigureAwait(false);
            }
            while (time.GetElapsedTime(begun) < Deadline);
        }
        finally
        {
            _turn.Release();
        }

        throw new GroupRefusedException("others have changed the configuration of the group all the time; nothing was changed");
    }

    /// <returns>Null: somebody else has changed it meanwhile, so it is to be tried again.</returns>
    private async Task<bool?> TryAsync(Func<ForwarderConfig, ForwarderConfig?> change, string? options)
    {
        var hasStream = await _wait.ForGroupAsync().ConfigureAwait(false);
        var (from, kept) = await NewestAsync().ConfigureAwait(false);
        if (change(from.Config) is not { } next) return false;

        if (ReferenceEquals(next, from.Config) || (next == from.Config && (options ?? from.Options) == from.Options))
        {
            if (hasStream) await _wait.ForAsync(from.Version).ConfigureAwait(false);
            return true;
        }

        CheckBroker(next, from.Config);
        var shared = new SharedConfig(Math.Max(from.Version + 1, time.GetUtcNow().ToUnixTimeMilliseconds()), options ?? from.Options, inForce.Instance, next);
        var text = inForce.Write(shared);
        if (text.Length > LargestText)
        {
            throw new GroupRefusedException($"the configuration would have {text.Length} bytes, and members of a group tell each other {LargestText} at most; nothing was changed");
        }

        if (!hasStream) return await TakeAloneAsync(kept, shared).ConfigureAwait(false);

        await preparation.PrepareAsync(next).ConfigureAwait(false);
        if (!await TryKeepAsync(kept, shared).ConfigureAwait(false)) return null;

        if (!inForce.SharesBroker) inForce.UseBroker(next.Amqp);
        long? follows = store is null ? from.Version : null;
        voice.Say((member, number) => new GroupMessage.Config(member, number, shared.Version, follows, text));
        if (store is not null)
        {
            await _wait.ForAsync(shared.Version).ConfigureAwait(false);
            return true;
        }

        // Another member may have made a version in the same millisecond.
        var isOwn = await _wait.ForOtherThanAsync(from.Version).ConfigureAwait(false) == shared.Version && inForce.Value.By == shared.By;
        return isOwn ? true : null;
    }

    /// <summary>
    /// There is no stream in which it could be said: nothing is delivered from a replica. This program has it from now on. It is kept if that is possible: others read it there. Else it
    /// is brought in when the node is a master.
    /// </summary>
    /// <returns>Null: somebody else has changed it meanwhile.</returns>
    private async Task<bool?> TakeAloneAsync(long kept, SharedConfig shared)
    {
        try
        {
            if (store is not null && !await store.TryWriteAsync(kept, shared.Version, inForce.WriteSealed(shared)).ConfigureAwait(false))
            {
                return null;
            }
        }
        catch (ConfigStoreException)
        {
            // A replica takes no writes.
        }

        if (!inForce.SharesBroker) inForce.UseBroker(shared.Config.Amqp);
        inForce.Put(shared);
        return true;
    }

    /// <summary>What the change is made to (a later version may be kept already, and be said in a moment), and the version that is kept.</summary>
    private async Task<(SharedConfig From, long Kept)> NewestAsync()
    {
        if (store is null) return (inForce.Value, 0);

        try
        {
            var kept = await KeptConfig.ReadAsync(store, inForce, time).ConfigureAwait(false);
            return (kept.Shared is { } shared && shared.Version > inForce.Value.Version ? shared : inForce.Value, kept.Version);
        }
        catch (ConfigStoreException e)
        {
            throw new GroupRefusedException($"the configuration of the group cannot be read from Redis ({e.Message}); nothing was changed");
        }
    }

    private async Task<bool> TryKeepAsync(long expected, SharedConfig shared)
    {
        if (store is null) return true;

        try
        {
            return await store.TryWriteAsync(expected, shared.Version, inForce.WriteSealed(shared)).ConfigureAwait(false);
        }
        catch (ConfigStoreException e)
        {
            throw new GroupRefusedException($"the configuration of the group cannot be kept in Redis ({e.Message}); start all members with --config-store off to change it without that");
        }
    }

    /// <summary>Without a secret the members cannot tell each other a password, nor be sure who says where to send events.</summary>
    private void CheckBroker(ForwarderConfig next, ForwarderConfig before)
    {
        if (inForce.SharesBroker || next.Amqp == before.Amqp) return;

        if (voice.Streams.Any(static stream => stream.Peers.Count > 1))
        {
            throw new GroupRefusedException("the broker and its login are the same for all members, and are told only between members that have a secret: start all of them with the same --group-secret-file; nothing was changed");
        }
    }
}
