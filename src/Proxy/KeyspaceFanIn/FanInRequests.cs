using KeyEvt.Proxy.Barrier;
using KeyEvt.Proxy.Candidates;
using KeyEvt.Resp.Requests;

namespace KeyEvt.Proxy.KeyspaceFanIn;

/// <summary>
/// What do a client's requests mean for its merged stream? Asked by the request pump, in the order of the requests, before they go upstream.
/// <para>
/// Nothing is merged inside MULTI, where a mark would break the transaction, nor with replies off, where there are no replies to judge by. An unsubscription
/// needs no answer from the node: if a name is dropped too early, the client has already asked to hear no more of it.
/// </para>
/// </summary>
/// <param name="overflow">Ends the session, because too many bytes wait for its client.</param>
internal sealed class FanInRequests(FanInStream stream, Action overflow)
{
    /// <summary>Used by the request pump only.</summary>
    private bool _isInMulti;

    /// <param name="repliesMayBeOff">The client has used CLIENT REPLY OFF or SKIP.</param>
    /// <returns>Null: the request goes upstream as it is.</returns>
    public Interception? InterceptionOf(RespRequest request, bool repliesMayBeOff)
    {
        var mayMark = !_isInMulti && !repliesMayBeOff;
        switch (FanInCommands.Of(request[0].Span, request[0].Length))
        {
            case FanInCommand.Subscribe when mayMark && KeyspaceNames.AreIn(request):
                return new SubscribeAnswer(request, stream, overflow);
            case FanInCommand.Hello when mayMark && stream.IsActive:
                return new HelloAnswer(request, stream.Inbox, overflow);
            case FanInCommand.Hello:
                stream.GiveUp("HELLO inside MULTI, or with replies off, hides in which protocol the client is to be spoken to");
                break;
            case FanInCommand.Unsubscribe:
                Drop(request, arePatterns: false);
                break;
            case FanInCommand.UnsubscribePatterns:
                Drop(request, arePatterns: true);
                break;
            case FanInCommand.Reset when request.Count == 1:
                stream.DropAll();
                _isInMulti = false;
                break;
            case FanInCommand.Multi when request.Count == 1:
                _isInMulti = true;
                break;
            case FanInCommand.EndOfMulti:
                _isInMulti = false;
                break;
        }

        return null;
    }

    /// <summary>Called when a request was too large to be looked at. It may have unsubscribed, so no more messages may be delivered.</summary>
    public void TooLarge() => stream.GiveUp("a request that may have unsubscribed is too large to be looked at");

    /// <summary>Drops the names that the request lists. If it lists none, drops all channels or all patterns.</summary>
    private void Drop(RespRequest request, bool arePatterns)
    {
        if (!stream.IsActive) return;
        var keys = Enumerable.Range(1, request.Count - 1).Select(i => FanInNameSet.KeyOf(arePatterns, request[i].Span)).ToHashSet();
        stream.Drop((key, name) => name.IsPattern == arePatterns && (keys.Count == 0 || keys.Contains(key)));
    }
}
