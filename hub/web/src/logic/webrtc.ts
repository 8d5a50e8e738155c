// One received video over WebRTC, without any server but the hub.
import { sendOffer } from '../api/live'

const GATHER_MS = 1000
const CONNECT_MS = 8000

export const canPlay = (): boolean => typeof RTCPeerConnection === 'function'

/** Plays the view in `video`; resolves with what ends it once pictures come. Throws where no connection comes about. */
export async function play(view: string, video: HTMLVideoElement, onLost: () => void): Promise<() => void> {
  const peer = new RTCPeerConnection({ iceServers: [] })
  let ended = false
  const end = (): void => {
    ended = true
    peer.close()
    video.srcObject = null
  }
  try {
    peer.addTransceiver('video', { direction: 'recvonly' })
    const flowing = new Promise<void>((resolve, reject) => {
      peer.ontrack = (event) => {
        video.srcObject = new MediaStream([event.track])
        video.play().catch(() => undefined) // muted video may always play; an early end is no error
      }
      peer.onconnectionstatechange = () => {
        if (peer.connectionState === 'connected') resolve()
        if (peer.connectionState !== 'failed' && peer.connectionState !== 'closed') return
        reject(new Error(peer.connectionState))
        if (!ended) onLost()
      }
      setTimeout(() => reject(new Error('timeout')), CONNECT_MS)
    })
    flowing.catch(() => undefined)
    await peer.setLocalDescription(await peer.createOffer())
    await gathered(peer)
    await peer.setRemoteDescription({ type: 'answer', sdp: await sendOffer(view, peer.localDescription!.sdp) })
    await flowing
    return end
  } catch (error) {
    end()
    throw error
  }
}

/** Until the browser knows its own addresses, or a second has gone by. */
function gathered(peer: RTCPeerConnection): Promise<void> {
  if (peer.iceGatheringState === 'complete') return Promise.resolve()
  return new Promise((resolve) => {
    peer.onicegatheringstatechange = () => { if (peer.iceGatheringState === 'complete') resolve() }
    setTimeout(resolve, GATHER_MS)
  })
}
