// Starts the page: what the hub is, who is signed in, then the first screen.
import { createApp } from 'vue'
import App from './App.vue'
import { whenSignedOut } from './api/client'
import { cards } from './parts/cards'
import { router } from './router'
import { followInstalled } from './state/installed'
import { end, loadHub, resume } from './state/session'
import { locale, setLocale } from './words'
import './element'
import './theme/tokens.css'
import './theme/base.css'

whenSignedOut(() => {
  end()
  void router.push('/sign-in')
})

async function start(): Promise<void> {
  setLocale(locale.value)
  await Promise.allSettled([loadHub(), resume()])
  createApp(App).use(router).directive('cards', cards).mount('#app')
  followInstalled()
}

void start()
